FROM mcr.microsoft.com/dotnet/sdk:8.0 AS builder
WORKDIR /app
COPY src/Greet/Greet.csproj ./src/Greet/
COPY src/Words/Words.csproj ./src/Words/
RUN dotnet restore src/Greet/Greet.csproj
COPY . .
RUN dotnet publish src/Greet/Greet.csproj -c Release -o out

FROM mcr.microsoft.com/dotnet/aspnet:8.0
WORKDIR /app
COPY . .
COPY --from=builder /app/out /app/out
ENTRYPOINT ["dotnet", "out/Greet.dll"]
