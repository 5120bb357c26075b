const ms = require("ms");

console.log(ms(process.argv[2] || "1h"));
