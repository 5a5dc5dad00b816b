"""Networks that compare what a brain follows with what may be listened to."""
