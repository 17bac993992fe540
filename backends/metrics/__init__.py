"""The scales: how far an estimate is from the truth, each number with its source."""
