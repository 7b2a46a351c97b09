"""What is true of the installation as a whole: its secret key, its data folder, the hold that stops all
sending, and the heartbeats of its processes. Each file is about one of them."""
