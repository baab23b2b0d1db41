"""Pages over engines: one package per door. A door never imports a door."""
