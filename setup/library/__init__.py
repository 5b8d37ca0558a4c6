"""What the commands of ``setup/`` share: small functions, standard library only."""
