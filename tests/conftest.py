def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="run the tests marked full as well")
