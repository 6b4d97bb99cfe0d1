"""A ledger in SQLite: a database in the directory that is granted, transactions, a second connection, a backup."""
import sqlite3
import sys
import threading

PATH = sys.argv[1] + "/ledger.db"

SCHEMA = """
create table account (name text primary key, balance integer not null check (balance >= 0)) strict;
create table entry (id integer primary key, debit text references account, credit text references account, amount integer);
create index entry_debit on entry (debit);
create view total as select sum(balance) as balance from account;
create trigger booked after insert on entry begin
    update account set balance = balance - new.amount where name = new.debit;
    update account set balance = balance + new.amount where name = new.credit;
end;
"""


def connect():
    connection = sqlite3.connect(PATH)
    connection.execute("pragma foreign_keys = on")
    connection.row_factory = sqlite3.Row
    return connection


def book(connection, debit, credit, amount):
    try:
        with connection:
            connection.execute("insert into entry (debit, credit, amount) values (?, ?, ?)", (debit, credit, amount))
    except sqlite3.Error as error:
        print(type(error).__name__, error)


def show(connection):
    for row in connection.execute("select * from account order by name"):
        print(dict(row))
    print("total", connection.execute("select balance from total").fetchone()[0])


def read_in_a_thread():
    with connect() as other:
        print("a thread sees", other.execute("select count(*) from entry").fetchone()[0], "entries")


def main():
    connection = connect()
    connection.executescript(SCHEMA)
    with connection:
        connection.executemany("insert into account values (?, ?)", [("cash", 1000), ("bank", 5000), ("rent", 0)])
    for number in range(200):
        book(connection, "bank", "cash" if number % 3 else "rent", number % 50)
    book(connection, "rent", "cash", 10**9)
    book(connection, "nobody", "cash", 1)
    show(connection)
    thread = threading.Thread(target=read_in_a_thread)
    thread.start()
    thread.join()
    connection.create_function("shout", 1, lambda text: text.upper() + "!")
    connection.create_collation("backwards", lambda a, b: (a < b) - (a > b))
    print([row[0] for row in connection.execute("select shout(name) from account order by name collate backwards")])
    print(connection.execute("select debit, count(*), sum(amount) over () from entry group by debit").fetchone()[:])
    print(connection.execute("select json_group_array(name) from (select name from account order by name)").fetchone()[0])
    print(connection.execute("pragma journal_mode = wal").fetchone()[0])
    book(connection, "bank", "cash", 7)
    print(connection.execute("pragma journal_mode = delete").fetchone()[0])
    with sqlite3.connect(sys.argv[1] + "/copy.db") as copy:
        connection.backup(copy)
    print(sum(1 for line in connection.iterdump()), "lines of dump")
    connection.execute("delete from entry where id % 2")
    connection.commit()
    connection.execute("vacuum")
    print(connection.execute("pragma integrity_check").fetchone()[0])
    connection.close()


main()
