"""SQLAlchemy's dialect test suite, unchanged. tests/trino/test_sqlalchemy_suite.py runs it:
    pytest -p plugin suite.py --dburi trino://tester@HOST:PORT/memory/default"""
from sqlalchemy.testing.suite import *  # noqa: F401, F403
