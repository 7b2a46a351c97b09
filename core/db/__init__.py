"""How the code talks to the database, apart from any feature; what differs between databases is here."""
