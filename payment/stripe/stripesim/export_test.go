package stripesim

// MAC is the bare HMAC, for its published vectors.
var MAC = mac
