"""``python -m migrator`` is ``tf-oidc-migrate``."""

from migrator.cli import main

if __name__ == "__main__":
    main()
