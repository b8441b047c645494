/**
 * Text at the border of a model: conversations, their rendering to one string, and the tokens of that string.
 *
 * <p>Open {@link io.peft4j.core.text.Tokenizer} first, then {@link io.peft4j.core.text.ChatTemplate} and
 * {@link io.peft4j.core.text.ChatMessage}. The implementations live in the models module. Two rules hold everywhere:
 * a rendered conversation is encoded with {@link io.peft4j.core.text.Tokenizer#encode(String)}, because the template
 * has already written every special token; plain text is encoded with
 * {@link io.peft4j.core.text.Tokenizer#encodeWithSpecials(String)}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.text;
