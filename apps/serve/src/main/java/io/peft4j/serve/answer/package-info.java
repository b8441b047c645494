/** How a server answers. Open {@link io.peft4j.serve.answer.AnsweringOptions} first. */
package io.peft4j.serve.answer;
