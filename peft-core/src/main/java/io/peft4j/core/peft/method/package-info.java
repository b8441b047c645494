/**
 * What a method of fine-tuning implements. Open {@link io.peft4j.core.peft.method.PeftMethod} first: it makes an
 * {@link io.peft4j.core.peft.method.Adapter} at the {@link io.peft4j.core.peft.method.Targets}, whose
 * {@link io.peft4j.core.peft.method.AdapterLayer}s wrap layers of the base that are found by their path, with tensors
 * from an {@link io.peft4j.core.peft.method.AdapterSetup}. Most methods extend
 * {@link io.peft4j.core.peft.method.ConfiguredMethod} and {@link io.peft4j.core.peft.method.AbstractAdapterLayer} or
 * {@link io.peft4j.core.peft.method.DeltaLayer}. What combines or converts adapters works on their
 * {@link io.peft4j.core.peft.method.LowRankUpdate}s.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.method;
