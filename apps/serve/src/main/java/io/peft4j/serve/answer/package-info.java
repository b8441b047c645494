/** How a server answers. Open {@link io.peft4j.serve.answer.AnsweringOptions} first. */
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.answer;
