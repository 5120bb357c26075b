FROM ruby:3.3-slim
WORKDIR /app
COPY Gemfile Gemfile.lock ./
RUN bundle config set --local deployment true && bundle install
COPY . .
CMD ["bundle", "exec", "rackup", "--host", "0.0.0.0"]
