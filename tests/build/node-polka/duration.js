const ms = require("ms");

module.exports = (text) => ({ text, seconds: ms(text) / 1000 });
