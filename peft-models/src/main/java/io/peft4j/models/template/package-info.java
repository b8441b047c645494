/**
 * Chat templates: a small interpreter for the part of Jinja that Hugging Face checkpoints use.
 *
 * <p>Open {@link io.peft4j.models.template.JinjaChatTemplate} first. A template goes through {@code Lexer} (text to
 * tokens, with Jinja's whitespace control), {@code StatementParser} and {@code ExpressionParser} (tokens to the records
 * of {@code Statement} and {@code Expression}) and {@code StatementRunner} with {@code ExpressionEvaluator}. The
 * settings are those of transformers: {@code trim_blocks}, {@code lstrip_blocks}, loop controls, an immutable sandbox
 * and its own {@code tojson}. Values behave as Python's do; what a template can reach is its inputs and the functions
 * listed in {@code Filters}, {@code Tests}, {@code Globals} and the method tables, nothing else. {@code TemplateLimits}
 * bounds work, output and depth, so that a hostile template ends in an error.
 */
package io.peft4j.models.template;
