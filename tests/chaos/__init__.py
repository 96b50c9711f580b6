"""The bus under kills and freezes, and the checker that judges what it left on its topics."""
