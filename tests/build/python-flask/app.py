import gettext
import sqlite3

from flask import Flask, render_template

app = Flask(__name__)


@app.get("/<language>")
def greeting(language):
    translation = gettext.translation("app", "locale", [language], fallback=True)
    count = sqlite3.connect(":memory:").execute("select count(*) from (values (1), (2))").fetchone()[0]
    return render_template("greeting.txt", greeting=translation.gettext("Good morning"), count=count) + "\n"
