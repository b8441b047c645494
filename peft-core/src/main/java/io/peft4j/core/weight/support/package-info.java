/**
 * Weights on their way from and into files. Open {@link io.peft4j.core.weight.support.TensorStore} first, which all
 * that a model is loaded from is, then {@link io.peft4j.core.weight.support.RowEncoder}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.weight.support;
