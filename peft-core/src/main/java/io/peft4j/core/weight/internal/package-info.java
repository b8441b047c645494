/**
 * Weights on their way into files. Open {@link io.peft4j.core.weight.internal.RowEncoder} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.weight.internal;
