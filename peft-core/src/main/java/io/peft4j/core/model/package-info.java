/**
 * What the rest of the library knows of a model. Open {@link io.peft4j.core.model.Model} and
 * {@link io.peft4j.core.model.LanguageModel} first, then {@link io.peft4j.core.model.Network}: what training runs.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.model;
