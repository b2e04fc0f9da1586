"""Runs under injected faults, judged from the files that they leave behind.

    python -m tests.faults --runs 300 --seed 0

proxy.py    a proxy that spoils requests and replies
client.py   a client process, to be killed, starved of disk, told a wrong time
audit.py    what the files say: lost, doubled, wrong
trials.py   one trial per fault
"""
