"""Prints the version of the database server that DATABASE_HOST names."""

import os

import MySQLdb


def main():
    connection = MySQLdb.connect(
        host=os.environ.get("DATABASE_HOST", "localhost"),
        user=os.environ.get("DATABASE_USER", "app"),
        password=os.environ.get("DATABASE_PASSWORD", ""),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        (version,) = cursor.fetchone()
    print(version)


if __name__ == "__main__":
    main()
