package io.peft4j.jinja.support;

/** Something that a template can call. */
@FunctionalInterface
interface TemplateFunction {
    Object call(Runtime runtime, Arguments arguments);
}
