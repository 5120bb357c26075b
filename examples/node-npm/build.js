const fs = require("fs");
const ms = require("ms");

fs.mkdirSync("public", { recursive: true });
fs.writeFileSync("public/index.html", `<p>Open for ${ms(8 * 3600 * 1000, { long: true })}.</p>\n`);
