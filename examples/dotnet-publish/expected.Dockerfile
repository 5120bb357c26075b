FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
WORKDIR /src
COPY src/Greet/Greet.csproj ./src/Greet/
COPY src/Words/Words.csproj ./src/Words/
RUN dotnet restore src/Greet/Greet.csproj
COPY . .
RUN dotnet publish src/Greet/Greet.csproj -c Release -o /out --no-restore

FROM mcr.microsoft.com/dotnet/runtime:8.0
COPY --from=build /out /app
CMD ["dotnet", "/app/Greet.dll"]
