package io.peft4j.core;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a type, or a member of one, that is public for other packages of PEFT4J only: applications must not use it,
 * since it may change in any version. On a package it marks all types of the package. The architecture tests hold it.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.PACKAGE, ElementType.METHOD, ElementType.CONSTRUCTOR})
public @interface Internal {
    /** Whether other modules of PEFT4J may use it, too; only its own module by default. */
    boolean shared() default false;
}
