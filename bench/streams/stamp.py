"""Sales at an even rate, each with the moment at which it is produced, in a process of its own:

    stamp.py BROKERS TOPIC RATE SECONDS

The last line of standard output is {"first", "last"}: moments in milliseconds since 1970."""
import json
import sys
import time
from datetime import datetime, timezone

from confluent_kafka import Producer

COUNTRIES = ["France", "Allemagne", "Espagne", "Italie", "Belgique"]


def main():
    brokers, topic, rate, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 2, "log_level": 0})
    sent, first, last = 0, None, None
    start = time.time()
    while sent < rate * seconds:
        due = min(rate * seconds, int((time.time() - start) * rate))
        if due == sent:
            time.sleep(0.001)
            continue
        now = int(time.time() * 1000)
        first, last = first or now, now
        moment = datetime.fromtimestamp(now / 1000, timezone.utc).isoformat(
            timespec="milliseconds")[:-6] + "Z"
        for number in range(sent, due):
            producer.produce(topic, json.dumps({
                "id": f"{number:036d}", "pays": COUNTRIES[number % 5], "montant": 12.5,
                "produit": "Clavier", "quantite": 1, "moment": moment}))
        sent = due
        producer.poll(0)
    if producer.flush(60):
        raise SystemExit("not all messages were taken")
    print(json.dumps({"first": first, "last": last}))


if __name__ == "__main__":
    main()
