/**
 * Chat templates: a small interpreter for the part of Jinja that Hugging Face checkpoints use. It needs no other
 * library.
 *
 * <pre>{@code
 * JinjaTemplate template = JinjaTemplate.parse(
 *         "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}\n{% endfor %}");
 * String prompt = template.render(Map.of("messages", List.of(Map.of("role", "user", "content", "Hello!"))));
 * // <|user|>Hello!
 * }</pre>
 *
 * <p>Open {@link io.peft4j.jinja.support.JinjaTemplate} first. A template goes through {@code Lexer} (text to tokens,
 * with Jinja's whitespace control), {@code StatementParser} and {@code ExpressionParser} (tokens to the records of
 * {@code Statement} and {@code Expression}), which run and evaluate themselves with a {@code Runtime}. The settings are
 * those of transformers: {@code trim_blocks}, {@code lstrip_blocks}, loop controls, an immutable sandbox and its own
 * {@code tojson}. Values behave as Python's do; what a template can reach is its inputs and the functions listed in
 * {@code Filters}, {@code Tests}, {@code Globals}, {@code StringMethods} and {@code Members}, nothing else. What Jinja
 * and Python have beside it and no known chat template calls is refused by name ("... is not supported in chat
 * templates"). {@code JinjaLimits} bounds work, output and depth, so that a hostile template ends in an error.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.jinja.support;
