/**
 * What the rest of the library knows of a language model. Open {@link io.peft4j.core.model.CausalNetwork} first.
 */
package io.peft4j.core.model;
