"""Tells over HTTP which database driver it has, and how long ago a date was."""

import MySQLdb
from bottle import Bottle, run
from dateutil.parser import isoparse

app = Bottle()


@app.get("/driver")
def driver():
    return {"driver": MySQLdb.version_info[:3], "quoted": MySQLdb._mysql.escape_string(b"it's").decode()}


@app.get("/days/<start>/<end>")
def days(start, end):
    return {"days": (isoparse(end) - isoparse(start)).days}


if __name__ == "__main__":
    run(app, host="127.0.0.1", port=18001, quiet=True)
