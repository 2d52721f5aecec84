// Opens pages of the built site in headless Chromium, at the widths of a desk and of a phone.
// Usage: node browser.mjs SITE MODULES SCREENSHOTS (MODULES has node_modules)
import { createServer } from "node:http";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const PAGES = [
  "",
  "start/",
  "why-not/",
  "performance/",
  "guides/queries/",
  "guides/circuit-breaker/",
  "reference/dynasafe/",
  "findings/",
  "findings/DYS203/",
  "404.html",
];
const WIDTHS = { desk: 1400, phone: 390 };
const TYPES = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

const [site, modules, screenshots] = process.argv.slice(2).map((each) => resolve(each));
const require = createRequire(pathToFileURL(join(modules, "package.json")));
const load = async (name) => (await import(pathToFileURL(require.resolve(name)))).default;
const chromium = await load("@sparticuz/chromium");
const puppeteer = await load("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://site").pathname);
  let file = join(site, path);
  try {
    if (statSync(file).isDirectory()) file = join(file, "index.html");
    const body = readFileSync(file);
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    response.end(body);
  } catch {
    response.writeHead(404);
    response.end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await puppeteer.launch({
  args: [...chromium.args, "--no-sandbox"],
  executablePath: await chromium.executablePath(),
  headless: "shell",
});

const complaints = [];
mkdirSync(screenshots, { recursive: true });
try {
  for (const path of PAGES) {
    for (const [name, width] of Object.entries(WIDTHS)) {
      const where = `/${path} at ${width} px`;
      const page = await browser.newPage();
      await page.setViewport({ width, height: 900 });
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(`${where}: ${message.text()}`);
      });
      page.on("pageerror", (error) => complaints.push(`${where}: ${error.message}`));
      page.on("request", (request) => {
        const url = request.url();
        if (!url.startsWith(origin) && !/^(data|blob):/.test(url))
          complaints.push(`${where}: asks ${url}`);
      });
      await page.goto(`${origin}/${path}`, { waitUntil: "networkidle0" });
      const excess = await page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      if (excess > 0) complaints.push(`${where}: ${excess} px wider than the window`);
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      for (const each of found.violations) {
        if (["serious", "critical"].includes(each.impact)) {
          const at = each.nodes[0].target.join(" ");
          complaints.push(`${where}: ${each.id}, ${each.nodes.length} times, first at ${at}`);
        }
      }
      const file = `${path.replace(/[/.]/g, "-") || "index-"}${name}.png`;
      await page.screenshot({ path: join(screenshots, file) });
      await page.close();
    }
  }
} finally {
  await browser.close();
  server.close();
}
for (const each of complaints) console.error(each);
process.exitCode = complaints.length ? 1 : 0;
