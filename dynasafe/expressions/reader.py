"""Reads expression text into symbolic trees, and lists the problems of text that can be read.

Placeholders are not replaced. Messages are DynamoDB's own. Nothing recurses over the text, so no
depth of brackets overflows the stack.

Sources: the pages that `dynasafe.expressions.nodes` names; what they leave open was measured on
DynamoDB Local 1.25.1 (tests/unit/expressions/test_parser.py has the table).
"""

from __future__ import annotations

from typing import Any, Final, Literal, NoReturn, assert_never, cast

from dynasafe.cache import Cache
from dynasafe.errors import ExpressionSyntaxError
from dynasafe.expressions.nodes import (
    AddAction,
    And,
    Arithmetic,
    Between,
    Comparison,
    ComparisonOperator,
    ConditionNode,
    DeleteAction,
    Expression,
    ExpressionKind,
    Function,
    FunctionName,
    IfNotExists,
    In,
    ListAppend,
    NamePlaceholder,
    NodePathElement,
    Not,
    Operand,
    Or,
    Path,
    Projection,
    RemoveAction,
    SetAction,
    Size,
    Update,
    UpdateAction,
    ValuePlaceholder,
)
from dynasafe.expressions.tokens import Token, tokens_of
from dynasafe.findings.finding import Span
from dynasafe.limits import (
    MAX_IN_OPERANDS,
    MAX_LIST_INDEX,
    MAX_OPERATORS,
    MAX_PATH_LEVELS,
)

_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")
_CONDITION_FUNCTIONS: dict[str, int] = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
}
_UPDATE_FUNCTIONS: dict[str, int] = {"if_not_exists": 2, "list_append": 2}
_FUNCTIONS: dict[str, int] = {**_CONDITION_FUNCTIONS, **_UPDATE_FUNCTIONS, "size": 1}
_NEEDS_PATH = frozenset({"attribute_exists", "attribute_not_exists", "if_not_exists"})
_UPDATE_PLACES = frozenset({"update", "arithmetic", "if_not_exists", "list_append"})


class Problem:
    """One problem of an expression that can be read."""

    __slots__ = ("code", "fix", "reason", "span")

    def __init__(self, code: str, reason: str, span: Span, fix: str) -> None:
        self.code: Final = code
        self.reason: Final = reason
        self.span: Final = span
        self.fix: Final = fix


class Reading:
    """An expression as it was read: its symbolic tree, and its problems.

    The tree is None if a problem prevents one, such as a function that does not exist.
    """

    __slots__ = ("node", "operator_count", "parts", "paths", "problems", "targets", "values")

    def __init__(
        self,
        *,
        node: Expression | None,
        problems: tuple[Problem, ...],
        operator_count: int,
        paths: tuple[Path, ...],
        values: tuple[ValuePlaceholder, ...],
        parts: tuple[ConditionNode | UpdateAction, ...],
        targets: tuple[Path, ...],
    ) -> None:
        self.node: Final = node
        self.problems: Final = problems
        self.operator_count: Final = operator_count
        self.paths: Final = paths
        """Every document path, in the order of the text."""
        self.values: Final = values
        """Every value placeholder, in the order of the text."""
        self.parts: Final = parts
        """The comparisons and functions of a condition, and the actions of an update, in the order
        of the text. Those that a problem keeps out of the tree are missing."""
        self.targets: Final = targets
        """The paths that an update writes or a projection names, in the order of the text."""


def read_expression(kind: ExpressionKind, text: str) -> Reading:
    """Read the text as far as its grammar goes.

    Raises:
        ExpressionSyntaxError: the grammar does not allow it.
    """
    reading = _readings.get((kind, text))
    if reading is None:
        reading = _read_anew(kind, text)
        _readings.put((kind, text), reading, _OF_A_CHARACTER * len(text))
    return reading


def _read_anew(kind: ExpressionKind, text: str) -> Reading:
    reader = _Reader(text)
    match kind:
        case "update":
            node: Expression | None = reader.update()
        case "projection":
            node = reader.projection()
        case "condition" | "key condition":
            node = reader.condition()
        case _:
            assert_never(kind)
    return Reading(
        node=node,
        problems=tuple(reader.problems),
        operator_count=reader.operator_count,
        paths=tuple(reader.paths),
        values=tuple(reader.values),
        parts=tuple(reader.parts),
        targets=tuple(reader.targets),
    )


_OF_A_CHARACTER = 80
"""The most bytes that a reading takes for each character of its text."""
_readings: Cache[tuple[ExpressionKind, str], Reading] = Cache(8_388_608)


class _Call:
    """A function call that is not a node yet. Any function may be called, anywhere."""

    __slots__ = ("arguments", "name", "span")

    def __init__(self, name: str, arguments: list[Operand | _Call], span: Span) -> None:
        self.name: str = name
        self.arguments: list[Operand | _Call] = arguments
        self.span: Span = span


class _Parenthesis:
    """An open bracket in a condition, and its terms so far: an Or of Ands."""

    __slots__ = ("alternatives", "is_single_bracket", "nots", "start")

    def __init__(
        self,
        start: int,
        alternatives: list[list[ConditionNode | None]],
        nots: list[int],
        is_single_bracket: bool = False,
    ) -> None:
        self.start: int = start
        self.alternatives: list[list[ConditionNode | None]] = alternatives
        self.nots: list[int] = nots
        self.is_single_bracket: bool = is_single_bracket
        """Whether its whole content is another pair of brackets."""


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.operator_count = 0
        self.paths: list[Path] = []
        self.values: list[ValuePlaceholder] = []
        self.parts: list[ConditionNode | UpdateAction] = []
        self.targets: list[Path] = []
        end = Token("end", "<EOF>", len(text), len(text))
        # Two at the end, so that there is always a next one.
        self._tokens = [*tokens_of(text), end, end]
        self._next: Token = self._tokens[0]
        self._at = 0
        if not text:
            raise ExpressionSyntaxError(
                "The expression can not be empty;",
                text,
                (0, 0),
                "leave the parameter out, instead of an empty str",
            )

    # Tokens

    def _peek(self, ahead: int = 1) -> Token:
        return self._tokens[self._at + ahead]

    def _take(self) -> Token:
        token = self._next
        self._at = at = self._at + 1
        self._next = self._tokens[at]
        return token

    def _is(self, mark: str) -> bool:
        return self._next.mark == mark

    def _expect(self, text: str) -> Token:
        if not self._is(text):
            self._fail(f"{text!r} is expected here")
        return self._take()

    def _fail(self, fix: str) -> NoReturn:
        token = self._next
        # From the previous token to the next one, with the space between them.
        before = self._tokens[self._at - 1].start if self._at else 0
        near = self.text[before : self._peek().end] if len(self._tokens) > 2 else self.text
        raise ExpressionSyntaxError(
            f'Syntax error; token: "{token.text}", near: "{near}"',
            self.text,
            (token.start, token.end),
            fix,
        )

    def _problem(self, code: str, reason: str, span: Span, fix: str) -> None:
        self.problems.append(Problem(code, reason, span, fix))

    def _operator(self, span: Span) -> None:
        self.operator_count += 1
        if self.operator_count == MAX_OPERATORS + 1:
            self._too_many_at = span

    def _check_operators(self) -> None:
        if self.operator_count > MAX_OPERATORS:
            self._problem(
                "DYS211",
                "The expression contains too many operators; operator count: "
                f"{self.operator_count}",
                self._too_many_at,
                f"use at most {MAX_OPERATORS} operators and functions",
            )

    def _redundant(self, span: Span) -> None:
        self._problem(
            "DYS202",
            "The expression has redundant parentheses;",
            span,
            "leave out one pair of brackets",
        )

    # Paths and operands

    def _path(self) -> Path:
        start = self._next.start
        elements: list[NodePathElement] = [self._path_name()]
        while True:
            mark = self._next.mark
            if mark == ".":
                self._take()
                elements.append(self._path_name())
            elif mark == "[":
                self._take()
                token = self._next
                if token.kind != "index":
                    self._fail("a list index is a whole number: a[0]")
                self._take()
                # A slice bounds the work for an index of many digits; none that long is allowed.
                index = int(token.text[:20])
                if index > MAX_LIST_INDEX:
                    self._problem(
                        "DYS212",
                        f"List index is not within the allowable range; index: [{token.text}]",
                        (token.start, token.end),
                        f"use an index of at most {MAX_LIST_INDEX}",
                    )
                elements.append(index)
                self._expect("]")
            else:
                break
        path = Path(tuple(elements), (start, self._tokens[self._at - 1].end))
        if len(elements) > MAX_PATH_LEVELS:
            assert path.span is not None
            self._problem(
                "DYS213",
                f"The document path has too many nesting levels; nesting levels: {len(elements)}",
                path.span,
                f"use at most {MAX_PATH_LEVELS} levels",
            )
        self.paths.append(path)
        return path

    def _path_name(self) -> NodePathElement:
        token = self._next
        if token.kind == "alias":
            self._take()
            return NamePlaceholder(token.text)
        if token.kind != "name" or token.word:
            self._fail(
                "an attribute name is expected here; one that begins with another character than "
                "a letter, or is a keyword, needs a placeholder from ExpressionAttributeNames: #n"
            )
        self._take()
        return token.text

    def _value(self) -> ValuePlaceholder:
        token = self._next
        if token.kind != "value":
            self._fail("a value from ExpressionAttributeValues is expected here: :v")
        self._take()
        value = ValuePlaceholder(token.text, (token.start, token.end))
        self.values.append(value)
        return value

    def _operand(self) -> Operand | _Call:
        """A path, a value or a function call; each may stand in one pair of brackets."""
        kind = self._next.kind
        if kind == "value":
            return self._value()
        if kind == "alias":
            return self._path()
        open_calls: list[_Call | int] = []  # an int is the start of a bracket
        while True:
            token = self._next
            if token.mark == "(":
                open_calls.append(self._take().start)
                continue
            if token.kind == "name" and not token.word and self._is_call():
                self._take()
                self._take()
                self._operator((token.start, token.end))
                open_calls.append(_Call(token.text, [], (token.start, token.end)))
                continue
            operand: Operand | _Call
            if token.kind == "value":
                operand = self._value()
            elif (token.kind == "name" and not token.word) or token.kind == "alias":
                operand = self._path()
            else:
                self._fail("an attribute, a value (:v) or a function is expected here")
            is_bracketed = False
            while open_calls:
                outer = open_calls[-1]
                if isinstance(outer, int):
                    end = self._expect(")").end
                    if is_bracketed:
                        self._redundant((outer, end))
                    is_bracketed = True
                    open_calls.pop()
                    continue
                outer.arguments.append(operand)
                if self._is(","):
                    self._take()
                    break
                end = self._expect(")").end
                outer.span = (outer.span[0], end)
                operand = outer
                is_bracketed = False
                open_calls.pop()
            else:
                return operand

    def _is_call(self) -> bool:
        return self._peek().mark == "("

    # Which functions are allowed where

    def _settled(self, operand: Operand | _Call, where: str) -> Operand | None:
        """The operand's node, or None if a problem prevents one.

        Args:
            where: "condition", "update", or the function whose argument it is.
        """
        if not isinstance(operand, _Call):
            return operand
        # The innermost come last, so that the nodes of arguments exist when they are needed.
        calls: list[tuple[_Call, str]] = [(operand, where)]
        at = 0
        while at < len(calls):
            call = calls[at][0]
            calls += [(each, call.name) for each in call.arguments if isinstance(each, _Call)]
            at += 1
        nodes: dict[int, Operand | None] = {}
        if not all(self._check_use(call, place) for call, place in calls):
            return None
        if not all(self._check_arguments(call) for call, _ in calls):
            return None
        for call, _ in reversed(calls):
            arguments = [
                nodes[id(each)] if isinstance(each, _Call) else each for each in call.arguments
            ]
            nodes[id(call)] = self._call_node(call, arguments)
        return nodes[id(operand)]

    def _call_node(self, call: _Call, arguments: list[Operand | None]) -> Operand | None:
        if None in arguments:
            return None
        first = cast(Operand, arguments[0])
        match call.name:
            case "size":
                return Size(first, call.span)
            case "if_not_exists":
                return IfNotExists(first, cast(Operand, arguments[1]), call.span)
            case _:
                return ListAppend(first, cast(Operand, arguments[1]), call.span)

    def _check_use(self, call: _Call, where: str) -> bool:
        """Whether an operand may be this call, whatever its arguments."""
        name = call.name
        if not self._check_name(call, "update" if where in _UPDATE_PLACES else "condition"):
            return False
        is_operand = name in ("size", "if_not_exists") or (
            name == "list_append" and where == "update"
        )
        if not is_operand:
            self._misused(call)
        return is_operand

    def _check_name(self, call: _Call, kind: str) -> bool:
        name = call.name
        if name not in _FUNCTIONS:
            self._problem(
                "DYS205",
                f"Invalid function name; function: {name}",
                call.span,
                f"the functions are {', '.join(sorted(_FUNCTIONS))}, in lower case",
            )
            return False
        if (name in _UPDATE_FUNCTIONS) is not (kind == "update"):
            article = "an update" if kind == "update" else "a condition"
            self._problem(
                "DYS206",
                f"The function is not allowed in {article} expression; function: {name}",
                call.span,
                f"use it in {'a condition' if kind == 'update' else 'an update'} expression only",
            )
            return False
        return True

    def _misused(self, call: _Call) -> None:
        self._problem(
            "DYS207",
            "The function is not allowed to be used this way in an expression; function: "
            f"{call.name}",
            call.span,
            "size gives a number, to be compared; the other functions of a condition stand alone; "
            "list_append is the whole right side of a SET",
        )

    def _check_arguments(self, call: _Call) -> bool:
        expected = _FUNCTIONS[call.name]
        if len(call.arguments) != expected:
            self._problem(
                "DYS208",
                "Incorrect number of operands for operator or function; operator or function: "
                f"{call.name}, number of operands: {len(call.arguments)}",
                call.span,
                f"{call.name} takes {expected}",
            )
            return False
        if call.name in _NEEDS_PATH and not isinstance(call.arguments[0], Path):
            self._problem(
                "DYS209",
                f"Operator or function requires a document path; operator or function: {call.name}",
                call.span,
                "give an attribute, and no value, as its first operand",
            )
            return False
        return True

    # Conditions

    def condition(self) -> ConditionNode | None:
        stack = [_Parenthesis(0, [[]], [])]
        while True:
            # A term begins here.
            token = self._next
            group = stack[-1]
            if token.word == "NOT":
                self._operator((token.start, token.end))
                group.nots.append(self._take().start)
                continue
            if self._is("("):
                stack.append(_Parenthesis(self._take().start, [[]], []))
                continue
            operand = self._operand()
            self._close_operand(operand, stack)
            node = self._comparison(operand)
            if node is not None:
                self.parts.append(node)
            # The term has ended. Close all brackets that can be closed.
            is_bracketed = False
            while True:
                group = stack[-1]
                group.is_single_bracket = (
                    is_bracketed and group.alternatives == [[]] and not group.nots
                )
                for start in reversed(group.nots):
                    node = None if node is None else Not(node, (start, self._last_end()))
                group.nots = []
                group.alternatives[-1].append(node)
                word = self._next.word
                if word in ("AND", "OR"):
                    token = self._take()
                    self._operator((token.start, token.end))
                    if word == "OR":
                        group.alternatives.append([])
                    break
                if len(stack) == 1:
                    if self._next.kind != "end":
                        self._fail("AND, OR or the end of the expression is expected here")
                    self._check_operators()
                    return self._alternatives(group)
                end = self._expect(")").end
                stack.pop()
                if group.is_single_bracket:
                    self._redundant((group.start, end))
                node = self._alternatives(group)
                is_bracketed = True

    def _close_operand(self, operand: Operand | _Call, stack: list[_Parenthesis]) -> None:
        """Brackets that seemed to hold a condition may turn out to hold an operand."""
        if isinstance(operand, _Call) and not self._is_compared_after_brackets():
            return
        opened: list[int] = []
        while (
            len(stack) > len(opened) + 1
            and stack[-1 - len(opened)].alternatives == [[]]
            and not stack[-1 - len(opened)].nots
        ):
            opened.append(stack[-1 - len(opened)].start)
        opened.reverse()
        count = len(opened)
        self._close_brackets(opened)
        if count > len(opened):
            del stack[len(stack) - (count - len(opened)) :]

    def _is_compared_after_brackets(self) -> bool:
        """Whether the brackets that close here end before a comparison."""
        ahead = 0
        while self._peek(ahead).mark == ")":
            ahead += 1
        token = self._peek(ahead)
        return token.kind == "comparator" or token.word in ("BETWEEN", "IN")

    def _last_end(self) -> int:
        return self._tokens[self._at - 1].end

    def _alternatives(self, group: _Parenthesis) -> ConditionNode | None:
        if self.operator_count > MAX_OPERATORS:
            return None  # a problem by itself, so no deep tree is built
        terms = [self._joined(And, each) for each in group.alternatives]
        return self._joined(Or, terms)

    @staticmethod
    def _joined(kind: type[And | Or], terms: list[ConditionNode | None]) -> ConditionNode | None:
        if len(terms) == 1 or None in terms:
            return terms[0] if None not in terms else None
        flat: list[ConditionNode] = []
        for term in terms:
            flat += term.terms if isinstance(term, kind) else (cast(ConditionNode, term),)
        first, last = flat[0].span, flat[-1].span
        span = (first[0], last[1]) if first and last else None
        return kind(tuple(flat), span)

    def _comparison(self, operand: Operand | _Call) -> ConditionNode | None:
        token = self._next
        if token.kind == "comparator":
            self._operator((token.start, token.end))
            self._take()
            others = [self._operand()]
            first, second = self._settle_all(operand, others)
            if first is None or second is None:
                return None
            operator = cast(ComparisonOperator, token.text)
            return Comparison(operator, first, second, self._span(first))
        if token.word == "BETWEEN":
            self._operator((token.start, token.end))
            self._take()
            low = self._operand()
            if self._next.word != "AND":
                self._fail("AND is expected here: a BETWEEN :low AND :high")
            self._take()
            value, *bounds = self._settle_all(operand, [low, self._operand()])
            if value is None or None in bounds:
                return None
            return Between(
                value, cast(Operand, bounds[0]), cast(Operand, bounds[1]), self._span(value)
            )
        if token.word == "IN":
            return self._membership(operand, token)
        if not isinstance(operand, _Call):
            self._fail("a comparison is expected here: =, <>, <, <=, >, >=, BETWEEN or IN")
        return self._function(operand)

    def _membership(self, operand: Operand | _Call, token: Token) -> ConditionNode | None:
        self._operator((token.start, token.end))
        self._take()
        self._expect("(")
        choices = [self._operand()]
        while self._is(","):
            self._take()
            choices.append(self._operand())
        self._expect(")")
        value, *settled = self._settle_all(operand, choices)
        if len(choices) > MAX_IN_OPERANDS:
            self._problem(
                "DYS214",
                "The IN operator is provided with too many operands; number of operands: "
                f"{len(choices)}",
                (token.start, self._last_end()),
                f"give at most {MAX_IN_OPERANDS}, or join several INs by OR",
            )
        if value is None or None in settled:
            return None
        return In(value, tuple(cast("list[Operand]", settled)), self._span(value))

    def _settle_all(
        self, operand: Operand | _Call, others: list[Operand | _Call]
    ) -> list[Operand | None]:
        return [self._settled(each, "condition") for each in (operand, *others)]

    def _span(self, first: Operand) -> Span:
        start = first.span[0] if first.span else 0
        return (start, self._last_end())

    def _function(self, call: _Call) -> ConditionNode | None:
        if not self._check_name(call, "condition"):
            return None
        if call.name not in _CONDITION_FUNCTIONS:
            self._misused(call)
            return None
        if not self._check_arguments(call):
            return None
        arguments = [self._settled(each, call.name) for each in call.arguments]
        if None in arguments:
            return None
        return Function(
            cast(FunctionName, call.name), tuple(cast("list[Operand]", arguments)), call.span
        )

    # Updates

    def update(self) -> Update | None:
        clauses: dict[str, list[Any]] = {clause: [] for clause in _CLAUSES}
        seen: set[str] = set()
        while True:
            token = self._next
            word = token.word
            if word not in _CLAUSES:
                self._fail("SET, REMOVE, ADD or DELETE is expected here")
            self._take()
            if word in seen:
                self._problem(
                    "DYS210",
                    f'The "{word}" section can only be used once in an update expression;',
                    (token.start, token.end),
                    f"list all actions after one {word}, separated by commas",
                )
            seen.add(word)
            clauses[word].append(self._noted_action(word))
            while self._is(","):
                self._take()
                clauses[word].append(self._noted_action(word))
            if self._next.kind == "end":
                break
        self._check_operators()
        if len(self.parts) < len(self.targets):
            return None  # an action has no place in the tree
        return Update(
            set=tuple(clauses["SET"]),
            remove=tuple(clauses["REMOVE"]),
            add=tuple(clauses["ADD"]),
            delete=tuple(clauses["DELETE"]),
        )

    def _noted_action(self, clause: str) -> UpdateAction | None:
        action = self._action(clause)
        if action is not None:
            self.parts.append(action)
        return action

    def _action(self, clause: str) -> UpdateAction | None:
        path = self._path()
        self.targets.append(path)
        start = path.span[0] if path.span else 0
        if clause == "SET":
            self._expect("=")
            value = self._set_value()
            return None if value is None else SetAction(path, value, (start, self._last_end()))
        if clause == "REMOVE":
            return RemoveAction(path, path.span)
        value = self._value()
        kind = AddAction if clause == "ADD" else DeleteAction
        return kind(path, value, (start, self._last_end()))

    def _set_value(self) -> Operand | None:
        """An operand, or the sum or difference of two. Brackets around it are allowed."""
        opened: list[int] = []
        while self._is("("):
            opened.append(self._take().start)
        left = self._operand()
        self._close_brackets(opened)
        if not (self._is("+") or self._is("-")):
            if opened:
                self._expect(")")
            return self._settled(left, "update")
        token = self._take()
        self._operator((token.start, token.end))
        right = self._operand()
        outermost = opened[0] if opened else None
        self._close_brackets(opened)
        if opened:
            self._expect(")")
        first = self._settled(left, "arithmetic")
        second = self._settled(right, "arithmetic")
        if first is None or second is None:
            return None
        start = outermost if outermost is not None else first.span[0] if first.span else 0
        operator = cast(Literal["+", "-"], token.text)
        return Arithmetic(operator, first, second, (start, self._last_end()))

    def _close_brackets(self, opened: list[int]) -> None:
        """Close all brackets that can be closed here. Every pair but the first is redundant."""
        is_bracketed = False
        while opened and self._is(")"):
            span = (opened.pop(), self._take().end)
            if is_bracketed:
                self._redundant(span)
            is_bracketed = True

    # Projections

    def projection(self) -> Projection:
        paths = [self._path()]
        while self._is(","):
            self._take()
            paths.append(self._path())
        if self._next.kind != "end":
            self._fail("a comma or the end of the expression is expected here")
        self.targets = paths
        return Projection(tuple(paths))
