/**
 * The adapter contract. Open {@link io.peft4j.core.peft.PeftModel} first: a base model with adapters, as an application
 * uses it. A method of fine-tuning is a {@link io.peft4j.core.peft.PeftMethod}: it reads its
 * {@link io.peft4j.core.peft.PeftConfig} and makes an {@link io.peft4j.core.peft.Adapter}, whose
 * {@link io.peft4j.core.peft.AdapterLayer}s wrap layers of the base that are found by their path. Adapters are stored
 * as Hugging Face PEFT stores them: {@link io.peft4j.core.peft.AdapterCheckpoint}.
 */
package io.peft4j.core.peft;
