package io.peft4j.core.peft.config;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A key of Hugging Face PEFT that a configuration record has no component for. A file's value is kept. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@Repeatable(UnusedKey.List.class)
public @interface UnusedKey {
    /** The key. */
    String value();

    /** What Hugging Face PEFT writes by default, as JSON text; empty where it does not write the key. */
    String fallback() default "null";

    /** What the key switches on and this version cannot do: then it must be off, or at its default. */
    String feature() default "";

    /** Why a value has no effect, for a warning; empty where that goes without saying. */
    String because() default "";

    /** Several of them. */
    @Documented
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.TYPE)
    @interface List {
        /** The keys. */
        UnusedKey[] value();
    }
}
