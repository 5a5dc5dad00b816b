"""The miniature world's listeners: synthetic talkers and brains that follow them."""
