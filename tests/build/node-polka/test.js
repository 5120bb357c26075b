const assert = require("assert");
const { test } = require("uvu");
const duration = require("./duration");

test("hours", () => assert.equal(duration("2h").seconds, 7200));
test("days", () => assert.equal(duration("1 day").seconds, 86400));
test.run();
