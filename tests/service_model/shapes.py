"""The requests of botocore's service model, in the form of `dynasafe.validation.service_shapes`.

    DYNASAFE_BOTOCORE=botocore-newest python -m tests.service_model.shapes

writes that module again from the folder in build/ that the variable names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dynasafe.validation import service_shapes
from tests.support.botocore_models import newest_model

_KINDS = {
    "boolean": "Boolean",
    "double": "Number",
    "float": "Number",
    "integer": "Integer",
    "long": "Integer",
    "string": "String",
    "timestamp": "Timestamp",
}


def written(model: dict[str, Any]) -> str:
    """All operations and the shapes of their requests, one in each line."""
    shapes = model["shapes"]
    lines = {}
    todo = []
    operations = []
    for name, operation in sorted(model["operations"].items()):
        root = operation["input"]["shape"]
        operations.append(f"{name} {root}")
        todo.append(root)
    while todo:
        name = todo.pop()
        if name in lines or name == "AttributeValue":
            continue
        lines[name] = _line(name, shapes[name])
        todo += _inner(shapes[name])
    return "\n".join(operations) + "\n\n" + "\n".join(lines[name] for name in sorted(lines))


def _inner(shape: dict[str, Any]) -> list[str]:
    match shape["type"]:
        case "structure":
            return [member["shape"] for member in shape["members"].values()]
        case "list":
            return [shape["member"]["shape"]]
        case "map":
            return [shape["value"]["shape"]]
        case _:
            return []


def _line(name: str, shape: dict[str, Any]) -> str:
    words = [name]
    match shape["type"]:
        case "structure":
            required = shape.get("required", ())
            words.append("Struct")
            words += [
                f"{'*' if member in required else ''}{member}:{each['shape']}"
                for member, each in shape["members"].items()
            ]
        case "list":
            words += ["List", shape["member"]["shape"]]
        case "map":
            words += ["Map", shape["value"]["shape"]]
        case kind:
            words.append(_KINDS[kind])
    if "min" in shape or "max" in shape:
        words.append(f"{shape.get('min', '')}..{shape.get('max', '')}")
    if "enum" in shape:
        words.append("|".join(sorted(shape["enum"])))
    if "pattern" in shape:
        words.append(f"/{shape['pattern']}/")
    return " ".join(words)


def main() -> None:
    path = Path(service_shapes.__file__)
    text = path.read_text()
    start = text.index(service_shapes.SHAPES)
    end = start + len(service_shapes.SHAPES)
    path.write_text(f"{text[:start]}\n{written(newest_model())}\n{text[end:]}")


if __name__ == "__main__":
    main()
