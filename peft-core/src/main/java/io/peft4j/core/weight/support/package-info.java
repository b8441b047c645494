/**
 * Weights on their way into files. Open {@link io.peft4j.core.weight.support.RowEncoder} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.weight.support;
