package overload

import "errors"

// ErrConfig means that a configuration is outside its bounds; the text names
// the field.
var ErrConfig = errors.New("overload: invalid configuration")
