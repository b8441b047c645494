/**
 * What the rest of the library knows of a language model. Open {@link io.peft4j.core.model.LanguageModel} first, then
 * {@link io.peft4j.core.model.CausalNetwork}: what training runs.
 */
package io.peft4j.core.model;
