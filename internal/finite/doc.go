// Package finite tells numbers from what overflow and division by zero leave, NaN and the infinities.
package finite
