"""How much of everything."""


class Sizes:
    def __init__(self, quick):
        # Deliveries, and those with one connection; octets of a letter; deliveries under strace.
        self.messages = 300 if quick else 2000
        self.single = 100 if quick else 500
        self.octets = 4096
        self.traced = 50 if quick else 200
        self.logins = 300 if quick else 2000
        # Messages of READER's mailboxes, which the goals are for.
        self.ten = 500 if quick else 10_000
        self.hundred = 3000 if quick else 100_000
        # Of each command, where one figure is the median of a few.
        self.repetitions = 3 if quick else 5
        self.rounds = 1 if quick else 3
        # Messages that a traced FETCH, STORE, COPY, MOVE or EXPUNGE is about.
        self.counted = 100 if quick else 1000
        # APPEND with 1 and with 10 connections.
        self.appended = {1: 50, 10: 200} if quick else {1: 400, 10: 2000}
        # Pushed deliveries, and seconds for them.
        self.pushed = 30 if quick else 500
        self.push_seconds = 5 if quick else 20
        self.idle = {"dovecot": 50} if quick else {"dovecot": 1000}
        self.idle_most = 300 if quick else 10_000
        # Seconds beside a busy client, of each kind; octets of its APPEND.
        self.beside_seconds = 1 if quick else 3
        self.large = 1 << 20 if quick else 50_000_000
        self.mix_seconds = 2 if quick else 10
