/**
 * The adapter contract. Open {@link io.peft4j.core.peft.PeftModel} first: a base model with adapters, as an application
 * uses it. A method of fine-tuning is a {@link io.peft4j.core.peft.PeftMethod}: it reads its
 * {@link io.peft4j.core.peft.PeftConfig}, a record whose {@link io.peft4j.core.peft.Key}s say what it is in the file,
 * and makes an {@link io.peft4j.core.peft.Adapter} at the {@link io.peft4j.core.peft.Placement}'s places, whose
 * {@link io.peft4j.core.peft.AdapterLayer}s wrap layers of the base that are found by their path. Adapters are stored
 * as Hugging Face PEFT stores them: {@link io.peft4j.core.peft.AdapterCheckpoint}, with a
 * {@link io.peft4j.core.peft.Passport} of what they were made for. {@link io.peft4j.core.peft.RowLayers} runs each row
 * of a batch through an adapter of its own, {@link io.peft4j.core.peft.MergeCheck} compares what a merged model says,
 * and what combines or converts adapters works on their {@link io.peft4j.core.peft.LowRankUpdate}s and
 * {@link io.peft4j.core.peft.WeightChange}s.
 */
package io.peft4j.core.peft;
