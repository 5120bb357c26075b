// Reviews a page in a real browser, and checks what a person would see. Arguments: the page, the folder for
// what is saved and for screenshots, and the folder with playwright-core. Prints what it found as JSON.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [page, out, modules, task] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "package.json"))("playwright-core");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
const mistakes = [];

async function open(options) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  const tab = await context.newPage();
  tab.on("pageerror", (error) => mistakes.push(`error: ${error}`));
  tab.on("console", (message) => message.type() === "error" && mistakes.push(`console: ${message.text()}`));
  tab.on("request", (request) => /^(file|blob):/.test(request.url()) || mistakes.push(`request: ${request.url()}`));
  const start = performance.now();
  await tab.goto(pathToFileURL(page).href);
  await tab.waitForSelector(".fix");
  await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return { tab, context, time: performance.now() - start };
}

function is(found, wanted, what) {
  if (found !== wanted) mistakes.push(`${what}: ${JSON.stringify(found)}, and not ${JSON.stringify(wanted)}`);
}

const count = (tab) => tab.locator("#count").innerText();
const progress = (tab) => tab.locator("#progress").innerText();
const first = (text) => Number(text.split(" ")[0].replaceAll(",", ""));

async function saveAs(tab, name) {
  const [download] = await Promise.all([tab.waitForEvent("download"), tab.keyboard.press("s")]);
  is(download.suggestedFilename(), "decisions.json", "the name of the saved file");
  await download.saveAs(join(out, name));
}

// Filters, decides one by one and by kind and by repository, undoes, and saves.
async function review() {
  const { tab, context } = await open({ viewport: { width: 1280, height: 900 } });
  const all = first(await count(tab));
  const plan = await tab.evaluate(() => JSON.parse(document.getElementById("plan").textContent));
  const fixes = plan.repositories.flatMap((one) => (one.files || []).flatMap((file) => file.fixes));
  is(all, fixes.length, "all fixes");

  const reset = async () => {
    await tab.click("#reset");
    await tab.waitForFunction((all) => document.getElementById("count").textContent.startsWith(`${all.toLocaleString("en")} `), all);
  };

  // Filters.
  for (const [name, value, wanted] of [
    ["transform", "merge-run", (fix) => fix.transform === "merge-run"],
    ["applicability", "unsafe", (fix) => fix.applicability === "unsafe"],
  ]) {
    await tab.selectOption(`#${name}`, value);
    is(first(await count(tab)), fixes.filter(wanted).length, `shown with ${name} ${value}`);
    await tab.selectOption(`#${name}`, "");
  }
  const named = plan.repositories.find((one) => one.status === "planned");
  await tab.fill("#repository", named.name);
  const of = plan.repositories.filter((one) => one.name.includes(named.name)).flatMap((one) => (one.files || []).flatMap((file) => file.fixes));
  is(first(await count(tab)), of.length, "shown of one repository");
  await tab.fill("#repository", "");
  await tab.fill("#text", "no such words anywhere");
  is(await tab.locator(".fix").count(), 0, "fixes shown for words that are nowhere");
  await tab.fill("#text", fixes[0].fingerprint);
  is(first(await count(tab)), fixes.filter((fix) => fix.fingerprint === fixes[0].fingerprint).length, "shown by fingerprint");
  await reset();

  // Keys: the first is accepted, the second rejected, and that undone.
  await tab.locator("h1").click();
  await tab.keyboard.press("j");
  await tab.keyboard.press("a");
  await tab.keyboard.press("r");
  is(await progress(tab), `1 accepted, 1 rejected, ${(all - 2).toLocaleString("en")} undecided`, "after two keys");
  await tab.keyboard.press("z");
  is(await progress(tab), `1 accepted, 0 rejected, ${(all - 1).toLocaleString("en")} undecided`, "after undo");

  // By kind: all that is safe is accepted, one transform rejected.
  for (const row of await tab.locator("#kinds tbody tr").all()) {
    const safe = row.getByRole("button", { name: /Accept the safe/ });
    if (await safe.isEnabled()) await safe.click();
  }
  await tab.locator('#kinds tr[data-kind="copy-after-install"]').getByRole("button", { name: /Reject all/ }).click();
  // By repository, by what is shown of it.
  const last = plan.repositories.filter((one) => one.status === "planned").at(-1);
  await tab.fill("#repository", last.name);
  await tab.getByRole("button", { name: `Reject all fixes shown of ${last.name}`, exact: true }).click();
  await reset();
  is(await tab.locator('.fix button.accept[aria-pressed="true"]').count() > 0, true, "accepted fixes are marked");
  await tab.screenshot({ path: join(out, "desktop.png") });
  await saveAs(tab, "decisions.json");
  is((await tab.locator("#save").innerText()).includes("*"), false, "the mark of unsaved decisions");

  // Decisions survive a reload.
  const told = await progress(tab);
  await tab.reload();
  await tab.waitForSelector(".fix");
  is(await progress(tab), told, "after a reload");

  // Semantics: every control has a name, and the headings are there.
  const nameless = await tab.evaluate(() =>
    [...document.querySelectorAll("button, input, select")].filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() || (one.labels && one.labels.length > 0))).map((one) => one.outerHTML),
  );
  is(nameless.length, 0, `controls without a name: ${nameless}`);
  is(await tab.getByRole("article").count() > 0, true, "fixes are articles");
  is(await tab.getByRole("table").count() > 1, true, "diffs are tables");
  await context.close();

  // On a phone and in the dark.
  for (const [name, options] of [
    ["dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" }],
    ["phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
    ["phone-dark", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark" }],
  ]) {
    const { tab, context } = await open(options);
    is(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${name}: it fits the width`);
    const back = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
    is(back[0] < 128, name.includes("dark"), `${name}: the background is dark`);
    if (name.includes("phone")) is(await tab.locator(".diff").first().locator("col").count(), 3, `${name}: the diff has one side`);
    await tab.locator(".fix").first().scrollIntoViewIfNeeded();
    await tab.screenshot({ path: join(out, `${name}.png`) });
    await context.close();
  }
  return { fixes: all };
}

// How long the page takes until its fixes are there, and how long a filter takes.
async function speed() {
  const { tab, time } = await open({ viewport: { width: 1280, height: 900 } });
  const start = performance.now();
  await tab.fill("#text", "curl");
  const filter = performance.now() - start;
  await tab.fill("#text", "");
  const bulk = performance.now();
  await tab.click("#accept-shown");
  return { fixes: first(await count(tab)), milliseconds: time, filter, bulk: performance.now() - bulk };
}

try {
  const found = await (task === "speed" ? speed() : review());
  console.log(JSON.stringify({ ...found, mistakes }));
} finally {
  await browser.close();
}
