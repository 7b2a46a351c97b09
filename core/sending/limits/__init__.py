"""What holds a fanpage back: its rate, its allowance, its refusals, and the breaker."""
