use super::SplitStages;
use crate::testing::{Around, declines, declines_in, ignores, needs_unsafe};

const APT: &str = "RUN apt-get update && apt-get install -y --no-install-recommends libicu-dev unzip \\\n    && rm -rf /var/lib/apt/lists/*";
const LIBRARY: &str = "RUN apt-get update && apt-get install -y --no-install-recommends unzip \\\n    && rm -rf /var/lib/apt/lists/*";
const CARRIED: &str = "COPY --from=builder /usr/local/lib/php/extensions /usr/local/lib/php/extensions\nCOPY --from=builder /usr/local/etc/php/conf.d /usr/local/etc/php/conf.d";

#[test]
fn extensions_are_copied_from_the_builder() {
    needs_unsafe(
        &SplitStages,
        r#"
        FROM php:8.2-fpm-bookworm
        # For intl and gd.
        RUN apt-get update && apt-get install -y --no-install-recommends \
            libfreetype-dev \
            libicu-dev \
            libpng-dev \
            unzip \
            && rm -rf /var/lib/apt/lists/*
        RUN set -eux; \
            docker-php-ext-configure gd --with-freetype; \
            docker-php-ext-install -j "$(nproc)" gd intl opcache
        RUN printf "\n" | pecl install redis-6.0.2 && docker-php-ext-enable redis && rm -rf /tmp/pear
        WORKDIR /app
        COPY . .
        CMD ["php-fpm"]
        "#,
        r#"
        FROM php:8.2-fpm-bookworm AS builder
        # For intl and gd.
        RUN apt-get update && apt-get install -y --no-install-recommends \
            libfreetype-dev \
            libicu-dev \
            libpng-dev \
            unzip \
            && rm -rf /var/lib/apt/lists/*
        RUN set -eux; \
            docker-php-ext-configure gd --with-freetype; \
            docker-php-ext-install -j "$(nproc)" gd intl opcache
        RUN printf "\n" | pecl install redis-6.0.2 && docker-php-ext-enable redis && rm -rf /tmp/pear

        FROM php:8.2-fpm-bookworm
        RUN apt-get update && apt-get install -y --no-install-recommends libfreetype6 libpng16-16 unzip \
            && rm -rf /var/lib/apt/lists/*
        COPY --from=builder /usr/local/lib/php/extensions /usr/local/lib/php/extensions
        COPY --from=builder /usr/local/etc/php/conf.d /usr/local/etc/php/conf.d
        WORKDIR /app
        COPY . .
        CMD ["php-fpm"]
        "#,
        "only /usr/local/lib/php/extensions, /usr/local/etc/php/conf.d is in the image",
    );
}

#[test]
fn modules_of_apache_and_composer() {
    let composer = "COPY --from=composer:2 /usr/bin/composer /usr/bin/composer";
    needs_unsafe(
        &SplitStages,
        &format!(
            "FROM php:8.2-apache-bookworm\n{composer}\n{APT}\nRUN docker-php-ext-install intl && a2enmod rewrite\nWORKDIR /app\nCOPY . .\nRUN composer install --no-dev\nRUN echo memory_limit=1G > /usr/local/etc/php/conf.d/zz.ini\n"
        ),
        &format!(
            "FROM php:8.2-apache-bookworm AS builder\n{composer}\n{APT}\nRUN docker-php-ext-install intl && a2enmod rewrite\n\n\
             FROM php:8.2-apache-bookworm\n{LIBRARY}\n{CARRIED}\nCOPY --from=builder /etc/apache2/mods-enabled /etc/apache2/mods-enabled\n{composer}\n\
             WORKDIR /app\nCOPY . .\nRUN composer install --no-dev\nRUN echo memory_limit=1G > /usr/local/etc/php/conf.d/zz.ini\n"
        ),
        "does not need libicu-dev when it runs",
    );
}

#[test]
fn nothing_to_gain() {
    ignores(
        &SplitStages,
        &[
            "FROM php:8.2-fpm-bookworm\nRUN docker-php-ext-install pdo_mysql\n",
            "FROM php:8.2-fpm-bookworm\nRUN apt-get update && apt-get install -y git\nRUN docker-php-ext-install pdo_mysql\n",
            "FROM php:8.2-fpm-bookworm\nRUN apt-get update && apt-get install -y zlib1g-dev\nRUN docker-php-ext-install zip\n",
            "FROM php:8.2-fpm-alpine\nRUN apk add icu-dev\nRUN docker-php-ext-install intl\n",
            "FROM php:8.2-fpm-bookworm\nRUN apt-get update && apt-get install -y libicu-dev\n",
            "FROM example.com/php:8.2\nRUN apt-get update && apt-get install -y libicu-dev\nRUN docker-php-ext-install intl\n",
        ],
    );
}

/// A file with a step before the extensions, and one behind them.
fn with(before: &str, extensions: &str, behind: &str) -> String {
    format!("FROM php:8.2-apache-bookworm\n{APT}\n{before}{extensions}\n{behind}")
}

#[test]
fn refusals() {
    let intl = "RUN docker-php-ext-install intl";
    let table = [
        (with("RUN ./setup.sh\n", intl, ""), "does more than to install"),
        (with("RUN useradd app\n", intl, ""), "does more than to install"),
        (with("RUN echo a=b > /usr/local/etc/php/conf.d/a.ini\n", intl, ""), "does more than to install"),
        (
            with("RUN mv \"$PHP_INI_DIR/php.ini-production\" \"$PHP_INI_DIR/php.ini\"\n", intl, ""),
            "line 4 computes",
        ),
        (
            with("RUN curl -sS https://getcomposer.org/installer | php\n", intl, ""),
            "does more than to install",
        ),
        (with("RUN composer install\n", intl, ""), "does more than to install"),
        (with("", "RUN docker-php-ext-install intl && a2dismod status", ""), "does more than to install"),
        (with("", "RUN docker-php-ext-install intl || true", ""), "does more than to install"),
        (
            with("", "RUN docker-php-ext-install intl && apt-get purge -y libicu-dev", ""),
            "does more than to install",
        ),
        (
            with("", "RUN install-php-extensions intl && docker-php-ext-enable intl", ""),
            "does more than to install",
        ),
        (
            with("", "RUN cd /usr/src/x && phpize && ./configure && make install", ""),
            "does more than to install",
        ),
        (with("", "RUN pear install Mail && docker-php-ext-install intl", ""), "does more than to install"),
        (with("", "RUN docker-php-ext-install intl > /log", ""), "does more than to install"),
        (
            with("RUN --mount=type=cache,target=/tmp/pear pecl install redis\n", intl, ""),
            "does more than to install",
        ),
        (with("", "RUN docker-php-ext-install intl oci8", ""), "what oci8 of line 4 is made of"),
        (with("", "RUN docker-php-ext-install $EXTENSIONS", ""), "computes $EXTENSIONS"),
        (
            with("", "RUN pecl install swoole && docker-php-ext-install intl", ""),
            "what swoole of line 4 is made of",
        ),
        (
            with(
                "",
                "RUN pecl install https://pecl.php.net/get/redis-6.0.2.tgz && docker-php-ext-install intl",
                "",
            ),
            "is made of",
        ),
        (with("USER www-data\n", intl, ""), "stands before the install"),
        (with("VOLUME /var/www/html\n", intl, ""), "stands before the install"),
        (with("ONBUILD COPY . /app\n", intl, ""), "stands before the install"),
        (with("COPY ext /usr/local/lib/php/extensions/\n", intl, ""), "to where extensions lie"),
        (with("", intl, "COPY rootfs /\n"), "to where extensions lie"),
        (with("ENV PHP_INI_SCAN_DIR=/php\n", intl, ""), "names PHP_INI_SCAN_DIR"),
        (with("", intl, "RUN echo extension_dir=/x >> /usr/local/etc/php/php.ini\n"), "names extension_dir"),
        (with("", intl, "RUN npm install\n"), "runs npm, which may need what builds"),
        (with("", intl, "RUN ./build.sh\n"), "which may need what builds"),
        (
            with("", intl, "CMD docker-php-ext-install gd && apache2-foreground\n"),
            "calls docker-php-ext-install",
        ),
        (with("", intl, "COPY --from=builder /x /x\n"), "an image called builder"),
        (with("", intl, "RUN apt-get install -y git\n"), "where there are no package lists"),
    ];
    let table: Vec<(&str, &str)> = table.iter().map(|(file, reason)| (file.as_str(), *reason)).collect();
    declines(&SplitStages, &table);
}

#[test]
fn a_library_with_other_names_in_other_releases() {
    let file = "FROM php:8.2-fpm\nRUN apt-get update && apt-get install -y libicu-dev\nRUN docker-php-ext-install intl\n";
    declines(&SplitStages, &[(file, "another name in each release")]);
    let file = "FROM php:7.3-fpm-buster\nRUN apt-get update && apt-get install -y zlib1g-dev\nRUN docker-php-ext-install zip\n";
    declines(&SplitStages, &[(file, "it is not known what `php:7.3-fpm-buster` holds")]);
}

#[test]
fn scripts_that_compile() {
    let file = with("", "RUN docker-php-ext-install intl", "COPY start.sh /\nCMD [\"/start.sh\"]\n");
    let around = Around::files(&[("start.sh", "#!/bin/sh\npecl install xdebug\nexec apache2-foreground\n")]);
    declines_in(&SplitStages, &around, &file, "calls pecl");
}
