/**
 * Layers that families of models are built of, beside {@link io.peft4j.core.nn.Linear} and {@link
 * io.peft4j.core.nn.Embedding}: norms ({@link io.peft4j.core.nn.support.RmsNorm}, {@link
 * io.peft4j.core.nn.support.LayerNorm}) and experts ({@link io.peft4j.core.nn.support.ExpertWeight}).
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.nn.support;
