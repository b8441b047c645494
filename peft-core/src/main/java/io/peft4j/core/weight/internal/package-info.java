/**
 * Weights on their way into files. Open {@link io.peft4j.core.weight.internal.RowEncoder} first.
 */
package io.peft4j.core.weight.internal;
