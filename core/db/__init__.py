"""What the code says to the database, apart from any feature; what differs between databases is here."""
