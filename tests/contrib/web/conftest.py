"""What plays AMS's part stands with the tests of the migration."""
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent.parent / "migration"))
